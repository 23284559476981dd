-- rows: what operators are shown. A row is one message of control.proto: its name, then fields and values
-- by turns. Long lists are made by several calls, so that none keeps Redis for long: where the extra is
-- neither empty nor 0, the script is to be called again with it as `cursor`, and its rows follow the earlier
-- ones.

local function row(message, ...)
    effect('row', message, ...)
end

local function number_of(argument)
    return tonumber(argument or '') or 0
end

-- A function that says whether a name matches: it has `glob` in it, or, where that has * (anything) or ?
-- (one character), it looks like that as a whole.
local function matcher(glob)
    if not glob:find('[*?]') then
        return function(name)
            return name:find(glob, 1, true) ~= nil
        end
    end
    local parts = {}
    for part in (glob .. '*'):gmatch('([^*]*)%*') do
        local plain = part:gsub('[%^%$%(%)%%%.%[%]%+%-]', '%%%0')
        parts[#parts + 1] = plain:gsub('%?', '[^\128-\191][\128-\191]*') .. ''
    end
    if #parts == 1 then
        return function(name)
            return name:find('^' .. parts[1] .. '$') ~= nil
        end
    end
    parts[1] = '^' .. parts[1]
    parts[#parts] = parts[#parts] .. '$'
    return function(name)
        local from = 1
        for _, part in ipairs(parts) do
            local first, last = name:find(part, from)
            if not first then
                return false
            end
            from = last + 1
        end
        return true
    end
end

-- The order of a list: by `values`, then by `names`.
local function order_of(names, values)
    local is_reverse = A.reverse == '1'
    return function(a, b)
        local of_a, of_b = values[a], values[b]
        if of_a == of_b then
            return names[a] < names[b]
        end
        if is_reverse then
            return of_b < of_a
        end
        return of_a < of_b
    end
end

local function sift(heap, at, size, is_before)
    local id = heap[at]
    while 2 * at <= size do
        local child = 2 * at
        if child < size and is_before(heap[child], heap[child + 1]) then
            child = child + 1
        end
        if not is_before(id, heap[child]) then
            break
        end
        heap[at] = heap[child]
        at = child
    end
    heap[at] = id
end

-- The first `count` of `ids` in order, without sorting the others.
local function first_of(ids, count, is_before)
    local first = {}
    for i = 1, math.min(count, #ids) do
        first[i] = ids[i]
    end
    if count < #ids then
        for at = math.floor(count / 2), 1, -1 do
            sift(first, at, count, is_before)
        end
        for i = count + 1, #ids do
            if is_before(ids[i], first[1]) then
                first[1] = ids[i]
                sift(first, 1, count, is_before)
            end
        end
    end
    table.sort(first, is_before)
    return first
end

local SLICE = 1000 -- looked at in one call
local PAGE = 1000 -- shown by one call
local SHOWN_MOST = 10000 -- of one list

-- Where a list stands. It is looked through a slice at a time, the first of what has been seen so far being
-- `kept`; at the end these are shown, and if there are more to show, it begins again with those behind the
-- last one (`value`, `name`).
local CURSOR = '^(%d+)\n([^\n]+)\n(%d+)\n(%d+)\n([^\n]*)\n([^\n]*)\n(.*)$'
local function list_from()
    local left, scan, total, behind, value, name, kept = (A.cursor or ''):match(CURSOR)
    if not left then
        local limit = number_of(A.limit)
        left = math.min(limit > 0 and limit or 100, SHOWN_MOST)
        return { left = left, scan = '0', total = 0, behind = 0, value = '', name = '', kept = '' }
    end
    return { left = tonumber(left), scan = scan, total = tonumber(total), behind = tonumber(behind),
        value = value, name = name, kept = kept }
end

local function list_cursor(at)
    return table.concat({ text(at.left), at.scan, text(at.total), text(at.behind), text(at.value), at.name,
        at.kept }, '\n')
end

-- The next `count` of a sorted set whose scores stay as they are: those behind `place`, which is "score/id" of
-- the last one before, or 0. And the place of the last of them; 0 when they are the last ones at all.
local function slice_of(set, place, count)
    local score, last = place:match('^(.-)/(.*)$')
    local rank = last and redis.call('ZRANK', set, last)
    local from = rank and rank + 1 or score and redis.call('ZCOUNT', set, '-inf', '(' .. score) or 0
    local ids = redis.call('ZRANGE', set, from, from + count - 1)
    last = ids[#ids]
    return ids, #ids == count and redis.call('ZSCORE', set, last) .. '/' .. last or '0'
end

-- The same for one whose scores change all the time; an id may come twice, but none is missed.
local function scanned_of(set, place, count)
    local page, ids = redis.call('ZSCAN', set, place, 'COUNT', count), {}
    for i = 1, #page[2], 2 do
        ids[#ids + 1] = page[2][i]
    end
    return ids, page[1]
end

-- Shows the members of the sorted set `list.set` whose names, in `list.kind`:<id>, match: their number in
-- a row `list.reply`, and for each list.show(id). `list.slice`: one of the two above; `list.value_of(id)`: by
-- what they are sorted, if not by name; `list.is_wanted(id)`: whether it is one of those that are asked for.
-- The extra.
local function show_list(list)
    local at, ids, names, values = list_from(), {}, {}, {}
    local is_match = A.match ~= '' and matcher(A.match)
    local names_of, value_of = key(list.kind, ''), list.value_of
    local is_before = order_of(names, values)
    local call = redis.call
    local function take(id, is_new)
        local name = not names[id] and call('HGET', names_of .. id, 'name')
        if not name or (is_match and not is_match(name)) or (list.is_wanted and not list.is_wanted(id)) then
            return
        end
        names[id], values[id] = name, value_of and value_of(id) or name
        if at.name ~= '' and not values[''] then
            names[''], values[''] = at.name, type(values[id]) == 'number' and tonumber(at.value) or at.value
        end
        at.total = at.total + (is_new and at.name == '' and 1 or 0)
        if at.name == '' or is_before('', id) then
            ids[#ids + 1] = id
            at.behind = at.behind + (is_new and 1 or 0)
        end
    end
    for id in at.kept:gmatch('%S+') do
        take(id, false)
    end
    local slice
    slice, at.scan = list.slice(list.set, at.scan, SLICE)
    for i = 1, #slice do
        take(slice[i], true)
    end
    local first = first_of(ids, math.min(at.left, PAGE), is_before)
    if at.scan ~= '0' then
        at.kept = table.concat(first, ' ')
        return list_cursor(at)
    end
    for _, id in ipairs(first) do
        list.show(id)
    end
    at.left = at.left - #first
    local last = first[#first]
    if at.left > 0 and at.behind > #first and last then
        at.value, at.name, at.behind, at.kept = values[last], names[last], 0, ''
        return list_cursor(at)
    end
    row(list.reply, 'total', at.total)
    return '0'
end

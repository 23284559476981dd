-- ctl_events: what has happened, behind the cursor `after` (empty: nothing yet, but from now on; 0: from the
-- beginning) or in the last `since_ms`. Only so many are looked at in one call. Where the cursor's place has
-- been trimmed, an event `gap` says so.
-- with: base rows
local LOOKED_AT = 1000
local STEP = 200

local function parts(id)
    local ms, number = id:match('^(%d+)%-?(%d*)$')
    return tonumber(ms), tonumber(number) or 0
end

local function is_wanted(f)
    return (f.event or ''):sub(1, #A.kind) == A.kind and (A.user == '' or f.user_key == A.user_key)
        and (A.room == '' or f.room_key == A.room_key)
end

local function show(id, f)
    row('Event', 'id', id, 'time_ms', (parts(id)), 'event', f.event or '', 'user', f.user or '',
        'room', f.room or '', 'node', f.node or '', 'actor', f.actor or '', 'args', f.args or '',
        'result', f.result or '')
end

-- Where to begin: a place for XRANGE, and the cursor if nothing is found behind it.
local function beginning()
    local since = number_of(A.since_ms)
    if A.after ~= '' and since == 0 then
        return '(' .. A.after, A.after
    end
    local last = redis.call('XREVRANGE', key('events'), '+', '-', 'COUNT', 1)[1]
    local id = last and last[1] or '0'
    return since > 0 and text(math.max(now - since, 1)) or '(' .. id, id
end

-- The events behind `cursor` that were trimmed before they could be read.
local function show_gap(cursor)
    local first = redis.call('XRANGE', key('events'), '-', '+', 'COUNT', 1)[1]
    local ms, number = parts(cursor)
    if not first or ms == 0 then
        return
    end
    local first_ms, first_number = parts(first[1])
    if ms < first_ms or (ms == first_ms and number < first_number) then
        show(first[1], { event = 'gap', result = 'events between ' .. cursor .. ' and this one are not kept any more' })
    end
end

local count = number_of(A.count)
count = math.min(count > 0 and count or 100, PAGE)
local from, cursor = beginning()
local following, left = (A.cursor or ''):match('^(%S+) (%d+)$')
if following then
    from, cursor, count = '(' .. following, following, tonumber(left)
elseif not parts(cursor) then
    return result(ERR.MALFORMED)
elseif A.after ~= '' and number_of(A.since_ms) == 0 then
    show_gap(cursor)
end

local looked_at, is_end = 0, false
while count > 0 and looked_at < LOOKED_AT and not is_end do
    local found = redis.call('XRANGE', key('events'), from, '+', 'COUNT', STEP)
    for i = 1, #found do
        local f = {}
        for j = 1, #found[i][2], 2 do
            f[found[i][2][j]] = found[i][2][j + 1]
        end
        cursor = found[i][1]
        if is_wanted(f) then
            show(cursor, f)
            count = count - 1
            if count == 0 then
                break
            end
        end
    end
    looked_at, is_end, from = looked_at + #found, #found < STEP, '(' .. cursor
end
row('EventsReply', 'cursor', cursor)
return result(ERR.NONE, (count == 0 or is_end) and '0' or cursor .. ' ' .. text(count))

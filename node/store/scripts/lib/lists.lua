-- lists: who and what is here, shown whole or in pages, changes collected.

local LISTS = {
    users = { set = function() return key('sessions') end, name = function(id) return key('u', id) end },
    rooms = { set = function() return key('rooms') end, name = function(id) return key('r', id) end },
    members = { set = function(rid) return key('m', rid) end, name = function(id) return key('u', id) end },
}
-- The rooms once more, each with its number of members: for clients that have a line.
LISTS.counts = LISTS.rooms

-- Appends to `row` the names of entries first .. last of a list; of `counts` each followed by the number of
-- members, of users by `away` or nothing.
local function append_names(row, what, rid, first, last)
    local list = LISTS[what]
    for _, id in ipairs(redis.call('ZRANGE', list.set(rid), first, last)) do
        local name, away = unpack(redis.call('HMGET', list.name(id), 'name', 'away'))
        if name then
            row[#row + 1] = name
            if what == 'counts' then
                row[#row + 1] = text(redis.call('ZCARD', key('m', id)))
            elseif what ~= 'rooms' then
                row[#row + 1] = (away or '') ~= '' and 'away' or ''
            end
        end
    end
end

-- The whole list to the clients of this node whom it concerns; nothing beyond lists.max. Of two forms
-- of a list the one with the greater stamp counts, whichever comes first.
-- Members as they are with entry `at` of their room.
local function show(what, rid, at)
    local epoch = rid and redis.call('HGET', key('r', rid), 'epoch')
    append_names(effect('list', what, rid or '', version('lists'), epoch or '', at or 0), what, rid, 0, -1)
end
local function is_shown(what, rid)
    return redis.call('ZCARD', LISTS[what].set(rid)) <= tonumber(A.lists_max)
end

-- The effect that follows concerns all who see the list.
local function to_readers(rid)
    to(rid and redis.call('HKEYS', key('rh', rid)) or { '*' })
end

-- One page of a list to one user. What comes behind it the node asks for by and by, so that a long list
-- keeps nobody waiting.
local function give(s, what, first)
    local rid = what == 'members' and s.room or nil
    local following = first + tonumber(A.lists_max)
    local has_more = following < redis.call('ZCARD', LISTS[what].set(rid))
    append_names(effect('give', s.uid, what, first, has_more and '1' or '', rid or ''), what, rid, first, following - 1)
    if has_more then
        effect('pages', s.uid, what, following)
    end
end

-- All lists that concern the session, in the forms that it can take. Another node asks for them itself.
local function give_all(s)
    if s.home ~= A.node then
        effect_at(s.home, 'relist', s.uid)
        return
    end
    give(s, 'users', 0)
    give(s, s.http == '' and 'counts' or 'rooms', 0)
    if s.room ~= '' then
        give(s, 'members', 0)
    end
end

local function listed_at(what, rid)
    if rid then
        return key('r', rid), 'listed'
    end
    return key('listed'), what
end

-- A list has changed. The first few changes are shown at once, in their order with everything else;
-- when they come faster than one in coalesce_ms, each node asks for the list later, for all of them.
local AT_ONCE = 4
local function changed(what, rid, at)
    local where, field = listed_at(what, rid)
    local pause = tonumber(A.coalesce_ms)
    local paid = math.max(tonumber(redis.call('HGET', where, field) or 0), life)
    local ahead = paid - life
    if ahead > (AT_ONCE - 1) * pause and ahead <= AT_ONCE * pause then
        to_readers(rid)
        effect('dirty', what, rid or '')
        return
    end
    redis.call('HSET', where, field, (ahead > AT_ONCE * pause and life or paid) + pause)
    if is_shown(what, rid) then
        to_readers(rid)
        show(what, rid, at or rid and log_top(rid))
    end
end

-- The rooms' numbers of members have changed: nodes with clients that see them ask for them by and by.
local function recounted()
    to({ '*' })
    effect('dirty', 'counts', '')
end

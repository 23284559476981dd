-- lists: who and what is here. Each list has a version, which every change raises. Nodes keep the lists as of a
-- version and tell clients what they have; here it is said when they have to read one anew.

local LISTS = {
    users = { set = function() return key('sessions') end, name = function(id) return key('u', id) end },
    rooms = { set = function() return key('rooms') end, name = function(id) return key('r', id) end },
    members = { set = function(rid) return key('m', rid) end, name = function(id) return key('u', id) end },
}
-- The rooms once more, each with its number of members: for clients that have a line.
LISTS.counts = LISTS.rooms

-- So many names are read by one call. Longer lists the node reads piece by piece.
local PIECE = 1000
-- Lists of so many names are told by the very call that changes them.
local SHORT = 100

-- Appends to `row` the names of these ids; of `counts` each followed by the number of members, of users by
-- `away` or nothing.
local function append_names(row, what, ids)
    local name_of = LISTS[what].name
    for _, id in ipairs(ids) do
        local name, away = unpack(redis.call('HMGET', name_of(id), 'name', 'away'))
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

local function length_of(what, rid)
    return redis.call('ZCARD', LISTS[what].set(rid))
end
local function is_short(what, rid)
    return length_of(what, rid) <= math.min(SHORT, tonumber(A.lists_max))
end

-- The whole list, with its version. `kind`: `list` to the clients of this node whom it concerns, `keep` for the
-- node alone. Members as they are with entry `at` of their room.
local function show(what, rid, at, kind)
    local epoch = rid and redis.call('HGET', key('r', rid), 'epoch')
    local row = effect(kind or 'list', what, rid or '', version_of(what, rid), epoch or '', at or 0)
    append_names(row, what, redis.call('ZRANGE', LISTS[what].set(rid), 0, -1))
end

-- The effect that follows concerns all who see the list.
local function to_readers(rid)
    to(rid and redis.call('HKEYS', key('rh', rid)) or { '*' })
end

-- A list has changed. The first few changes of a short one are shown at once, in their order with everything else;
-- when they come faster than one in coalesce_ms, or the list is long, each node asks for it later, for all of them.
local function changed(what, rid, at)
    local AT_ONCE = 4
    raise_version(what, rid)
    if what == 'rooms' then
        raise_version('counts')
    end
    local where, _, field = listed_at(what, rid)
    local pause = tonumber(A.coalesce_ms)
    local paid = math.max(tonumber(redis.call('HGET', where, field) or 0), life)
    local ahead = paid - life
    local is_paused = ahead > (AT_ONCE - 1) * pause and ahead <= AT_ONCE * pause
    to_readers(rid)
    if is_paused or not is_short(what, rid) then
        effect('dirty', what, rid or '')
        return
    end
    redis.call('HSET', where, field, (ahead > AT_ONCE * pause and life or paid) + pause)
    show(what, rid, at or rid and log_top(rid))
end

-- The rooms' numbers of members have changed: nodes with clients that see them ask for them by and by.
local function recounted()
    raise_version('counts')
    to({ '*' })
    effect('dirty', 'counts', '')
end

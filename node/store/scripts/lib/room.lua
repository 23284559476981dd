-- room: rooms, entering and leaving them.

local function room(rid)
    local r = hash(key('r', rid))
    if not r.name then
        return nil
    end
    r.id = rid
    return r
end

local function room_named(name)
    local rid = redis.call('GET', key('rn', name))
    return rid and room(rid)
end

local function is_full(r)
    return redis.call('ZCARD', key('m', r.id)) + redis.call('ZCARD', key('i', r.id)) >= tonumber(r.limit)
end

-- The session is in the room from now on: members, its list, and a notice of the given kind.
local function enter(s, r, kind)
    redis.call('ZADD', key('m', r.id), now, s.uid)
    count_member(r.id, s.home, 1)
    s.room, s.first = r.id, log_top(r.id) + 1
    save(s, 'state', 'room', 'first')
    effect_home(s, 'join', s.uid, r.id, r.epoch, s.first, r.name, manager_name(r.manager))
    changed('members', r.id)
    recounted()
    append(r, kind, s.name, '', 0)
    event('room_' .. kind, { 'user', s.name, 'room', r.name })
end

-- The session has left the room; its new state is set by the caller.
local function leave(s, r, kind)
    redis.call('ZREM', key('m', r.id), s.uid)
    count_member(r.id, s.home, -1)
    s.room = ''
    save(s, 'state', 'room')
    effect_home(s, 'leave', s.uid, r.id)
    changed('members', r.id)
    recounted()
    append(r, kind, s.name, '', 0)
    event('room_' .. kind, { 'user', s.name, 'room', r.name })
end

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

-- It is the manager of the room that it is in.
local function manages(s)
    return s.room ~= '' and redis.call('HGET', key('r', s.room), 'manager') == s.uid
end

local function is_full(r)
    return redis.call('ZCARD', key('m', r.id)) + redis.call('ZCARD', key('i', r.id)) >= tonumber(r.limit)
end

-- Why no such room can be opened; nothing when it can.
local function refusal_to_open(rid, name)
    if is_no_new_name(name) then
        return ERR.NAME_INVALID
    end
    if redis.call('EXISTS', key('r', rid)) == 1 then
        return ERR.ROOM_ID_TAKEN
    end
    if redis.call('ZCARD', key('rooms')) >= tonumber(A.rooms_max) then
        return ERR.ROOMS_FULL
    end
    return redis.call('EXISTS', key('rn', name)) == 1 and ERR.ROOM_NAME_TAKEN or nil
end

-- Opens a room that nobody is in yet. `manager` is a user id, or empty for one that operators have opened:
-- it stays until they delete it. The epoch tells its log from that of an earlier room with the same id.
local function open_room(rid, name, manager, limit)
    local r = { id = rid, name = name, epoch = clock[1] .. string.format('%06d', clock[2]) }
    redis.call('HSET', key('r', rid), 'name', name, 'manager', manager, 'created', now,
        'epoch', r.epoch, 'limit', text(limit))
    redis.call('SET', key('rn', name), rid)
    redis.call('ZADD', key('rooms'), now, rid)
    return r
end

local function begin_log(r, who)
    redis.call('DEL', key('log', r.id))
    redis.call('XADD', key('log', r.id), '0-*', 'kind', 'created', 'who', who, 'text', r.name,
        'time', now, 'sent', 0)
    effect_in(r.id, 'entry', r.id, r.epoch, 1, 'created', who, r.name, now, 0)
end

-- The session is in the room from now on: members, its list, and a notice of the given kind.
local function enter(s, r, kind)
    redis.call('ZADD', key('m', r.id), life, s.uid)
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

-- room: rooms, entering and leaving them.

local function room(rid)
    local r = hash(key('r', rid))
    if not r.name then
        return nil
    end
    r.id = rid
    return r
end

local function room_named(name_key)
    local rid = redis.call('GET', key('rn', name_key))
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
local function refusal_to_open(rid, name, name_key)
    if is_no_new_name(name, name_key) then
        return ERR.NAME_INVALID
    end
    if redis.call('EXISTS', key('r', rid)) == 1 then
        return ERR.ROOM_ID_TAKEN
    end
    if redis.call('ZCARD', key('rooms')) >= tonumber(A.rooms_max) then
        return ERR.ROOMS_FULL
    end
    return redis.call('EXISTS', key('rn', name_key)) == 1 and ERR.ROOM_NAME_TAKEN or nil
end

-- Opens a room that nobody is in yet. `kind`: `users` for one that a user has opened, whose user id `manager`
-- is: it ends with its last member; `operators` for theirs, which nobody manages and which stays until they
-- delete it. The epoch tells its log from that of an earlier room with the same id.
local function open_room(rid, name, name_key, kind, manager, limit)
    local r = { id = rid, name = name, name_key = name_key, kind = kind, manager = manager, epoch = new_epoch(),
        fence = realm[REALM_FENCE] }
    redis.call('HSET', key('r', rid), 'name', name, 'name_key', name_key, 'kind', kind, 'manager', manager,
        'created', now, 'epoch', r.epoch, 'fence', r.fence, 'limit', text(limit))
    redis.call('SET', key('rn', name_key), rid)
    redis.call('ZADD', key('rooms'), now, rid)
    return r
end

-- The room's log begins; `s` is in the room with it, or nobody is yet.
local function begin_log(r, who, s)
    redis.call('DEL', key('log', r.id))
    redis.call('XADD', key('log', r.id), '0-*', 'kind', 'created', 'who', who, 'text', r.name,
        'time', now, 'sent', 0, 'uid', s and s.uid or '', 'stay', s and text(s.stay) or '')
    tell_entry(r, 1, 'created', who, r.name, 0, s)
end

-- The session is among the members from now on. Each stay in a room has a number of its own, greater than those
-- of all earlier ones: whatever is told of it can come in any order.
local function take_in(s, r)
    redis.call('ZADD', key('m', r.id), life, s.uid)
    count_member(r.id, s.home, 1)
    s.room, s.stay = r.id, version('stay')
end

-- It is in the room from entry `seq` on, and so it is told.
local function settle_in(s, r, seq)
    s.first, s.joined = seq, now
    save(s, 'state', 'room', 'first', 'stay', 'joined')
    effect_home(s, 'join', s.uid, r.id, r.epoch, seq, r.name, manager_name(r.manager), s.stay, r.kind)
    changed('members', r.id, seq)
    recounted()
end

-- Makes a member the room's manager. The log says so, in its place; the number of that entry.
local function set_manager(r, s)
    r.manager = s.uid
    redis.call('HSET', key('r', r.id), 'manager', s.uid)
    local seq = write_entry(r, 'manager', s.name, '', 0) or 0
    changed('members', r.id, seq)
    tell_entry(r, seq, 'manager', s.name, '', 0)
    event('room_manager', about(s, r))
    return seq
end

-- Why that one cannot be made the room's manager; nothing when it can. The original's client takes only itself
-- for the manager of a room, and only when it has opened it.
local function refusal_to_manage(r, s)
    if not s then
        return ERR.PEER_UNKNOWN
    end
    if s.room ~= r.id then
        return ERR.PEER_NOT_MEMBER
    end
    return is_original(s) and ERR.PEER_ORIGINAL or nil
end

-- Who manages the room when user `gone` does not any more: the modern member who has been in it longest, one
-- who is here before one who is away; or nobody.
local function successor(r, gone)
    local away
    for _, uid in ipairs(redis.call('ZRANGE', key('m', r.id), 0, -1)) do
        local kind, absence = unpack(redis.call('HMGET', key('u', uid), 'kind', 'away'))
        local s = { kind = kind, away = absence or '' }
        if kind and uid ~= gone and not is_original(s) then
            if not is_away(s) then
                return session(uid)
            end
            away = away or uid
        end
    end
    return away and session(away)
end

-- The manager is not among the members any more: its own entry says so in the log.
local function hand_over(r)
    local heir = successor(r)
    if heir then
        set_manager(r, heir)
    else
        r.manager = ''
        redis.call('HSET', key('r', r.id), 'manager', '')
    end
end

local close_room -- in ends.lua, which every script has in which somebody leaves a room

-- The session is in the room from now on: members, its list, and a notice of the given kind.
local function enter(s, r, kind)
    take_in(s, r)
    local seq = write_entry(r, kind, s.name, '', 0, s) or 0
    settle_in(s, r, seq)
    tell_entry(r, seq, kind, s.name, '', 0, s)
    event('room_' .. kind, about(s, r))
    if r.kind == 'users' and r.manager == '' and not is_original(s) then
        set_manager(r, s)
    end
end

-- The session has left the room; its new state is set by the caller. Somebody else manages it then, if it was
-- the manager, and one that nobody is in any more ends.
local function leave(s, r, kind)
    redis.call('ZREM', key('m', r.id), s.uid)
    s.room = ''
    save(s, 'state', 'room')
    local seq = write_entry(r, kind, s.name, '', 0, s) or 0
    effect_home(s, 'leave', s.uid, s.stay)
    changed('members', r.id, seq)
    recounted()
    tell_entry(r, seq, kind, s.name, '', 0, s)
    count_member(r.id, s.home, -1)
    event('room_' .. kind, about(s, r))
    if r.manager == s.uid then
        hand_over(r)
    end
    if r.kind == 'users' and redis.call('ZCARD', key('m', r.id)) == 0 then
        close_room(r)
        changed('rooms')
    end
end

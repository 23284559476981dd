-- ends: the end of rooms and sessions.

local function close_member(r, uid)
    local s = session(uid)
    if not s then
        return
    end
    if s.state == 'REMOVE' then
        answer_asker(s, ERR.NONE)
        remember(s.wait_by, s.wait_print, ERR.NONE, 3, '')
        redis.call('ZREM', key('waits'), uid)
        redis.call('HDEL', key('u', uid), unpack(WAIT_FIELDS))
    else
        steps(s, 'REMOVE_USER_ROOM')
    end
    steps(s, 'REMOVE_USER_ROOM_SUC')
    s.room = ''
    save(s, 'state', 'room')
    effect_at(s.home, 'relay', 'REMOVE', uid, reach(s), 1, r.id, s.name)
end

-- Closes the room of its manager `s`: everybody out, the log gone.
local function close_room(s, r)
    for _, uid in ipairs(redis.call('ZRANGE', key('i', r.id), 0, -1)) do
        local invited = session(uid)
        if invited and invited.wait then
            settle(invited, ERR.PEER_SILENT)
        end
    end
    for _, uid in ipairs(redis.call('ZRANGE', key('m', r.id), 0, -1)) do
        if uid ~= s.uid then
            close_member(r, uid)
        end
    end
    effect_in(r.id, 'closed', r.id, r.epoch)
    redis.call('DEL', key('r', r.id), key('m', r.id), key('rh', r.id), key('i', r.id), key('log', r.id),
        key('rn', r.name))
    redis.call('ZREM', key('rooms'), r.id)
    recounted()
    steps(s, 'DELETE_ROOM', 'DELETE_ROOM_SUC')
    s.room = ''
    save(s, 'state', 'room')
    event('room_deleted', { 'user', s.name, 'room', r.name })
end

local function end_session(s, kind)
    steps(s, 'UNREGISTER')
    redis.call('DEL', key('u', s.uid), key('un', s.name))
    redis.call('ZREM', key('sessions'), s.uid)
    unsettle(s)
    effect_home(s, 'gone', s.uid, 'ended')
    changed('users')
    event(kind, { 'user', s.name })
end

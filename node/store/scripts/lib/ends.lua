-- ends: the end of rooms and sessions.

local CLOSED_LOG_MS = 60000

-- The session has to leave its room, whether it has answered its manager's REMOVE or was never asked.
local function force_out(s)
    if s.state == 'REMOVE' then
        answer_asker(s, ERR.NONE)
        redis.call('ZREM', key('waits'), s.uid)
        redis.call('HDEL', key('u', s.uid), unpack(WAIT_FIELDS))
    else
        steps(s, 'REMOVE_USER_ROOM')
    end
    steps(s, 'REMOVE_USER_ROOM_SUC')
end

local function close_member(r, uid)
    local s = session(uid)
    if not s or s.room ~= r.id then
        return
    end
    force_out(s)
    s.room = ''
    save(s, 'state', 'room')
    tell_out(s, r.id, 1)
    effect_home(s, 'leave', s.uid, s.stay)
end

-- Closes the room: everybody out, the log gone. `by`: the manager who closes it and needs not be told, or
-- nobody.
function close_room(r, by)
    for _, uid in ipairs(redis.call('ZRANGE', key('i', r.id), 0, -1)) do
        local invited = session(uid)
        if invited and invited.wait then
            settle(invited, ERR.PEER_SILENT)
        end
    end
    for _, uid in ipairs(redis.call('ZRANGE', key('m', r.id), 0, -1)) do
        if not by or uid ~= by.uid then
            close_member(r, uid)
        end
    end
    if append(r, 'closed', by and by.name or '', '', 0) then
        redis.call('RENAME', key('log', r.id), closed_log(r.id, r.epoch))
        redis.call('ZADD', key('closed'), life + CLOSED_LOG_MS, r.id .. ':' .. r.epoch)
    end
    redis.call('DEL', key('r', r.id), key('m', r.id), key('rh', r.id), key('i', r.id), key('rn', r.name_key))
    redis.call('ZREM', key('rooms'), r.id)
    recounted()
    if by then
        steps(by, 'DELETE_ROOM', 'DELETE_ROOM_SUC')
        by.room = ''
        save(by, 'state', 'room')
    end
    event('room_deleted', about(by, r))
end

local function end_session(s, kind)
    steps(s, 'UNREGISTER')
    redis.call('DEL', key('u', s.uid), key('un', s.name_key))
    redis.call('ZREM', key('sessions'), s.uid)
    leave_port(s)
    unsettle(s)
    effect_home(s, 'gone', s.uid, 'ended')
    if kind == 'session_replaced' then
        raise_version('users') -- it is told with the other one of this name or address, in a moment
    else
        changed('users')
    end
    event(kind, about(s))
end

-- What the end of a session means for its room, in words for operators; and the number of rooms of which more
-- is to be said than that there is one member less.
local function parting(s)
    local r = s.room ~= '' and room(s.room)
    if r and r.kind == 'users' and redis.call('ZCARD', key('m', r.id)) == 1 then
        return ' and with it the room ' .. r.name .. ', which nobody else is in', 1
    end
    if not r or r.manager ~= s.uid then
        return '', 0
    end
    local heir = successor(r, s.uid)
    return '; ' .. (heir and heir.name or 'nobody') .. ' manages the room ' .. r.name .. ' from then on', 1
end

-- Ends a session in the middle of whatever it does: it leaves its room.
local function break_off(s, kind)
    drop_queue(s, ERR.PEER_SILENT)
    if s.wait then
        settle(s, ERR.PEER_SILENT)
    end
    local r = s.room ~= '' and room(s.room)
    if r and is_original(s) then
        tell_out(s, r.id, 1)
    end
    if r then
        steps(s, 'EXIT_ROOM', 'EXIT_ROOM_SUC')
        leave(s, r, 'left')
    elseif s.room ~= '' then
        -- Its room is gone without having let it go; one such session must not stop a sweep.
        s.state, s.room = 'REGISTER_OK', ''
    end
    end_session(s, kind)
end

-- sweep: ends what has run out, at most `batch` of each kind: answers that peers owe, and sessions
-- that showed no sign of life. A manager's end closes the room. Extra: how many were ended.
-- with: base step request top session log lists room wait ends
local swept = 0

for _, uid in ipairs(redis.call('ZRANGEBYSCORE', key('waits'), '-inf', now, 'LIMIT', 0, A.batch)) do
    local peer = session(uid)
    if peer and peer.wait then
        settle(peer, ERR.PEER_SILENT)
    else
        redis.call('ZREM', key('waits'), uid)
    end
    swept = swept + 1
end

for _, uid in ipairs(redis.call('ZRANGEBYSCORE', key('sessions'), '-inf', now, 'LIMIT', 0, A.batch)) do
    local s = session(uid)
    if not s then
        redis.call('ZREM', key('sessions'), uid)
    else
        if s.wait then
            settle(s, ERR.PEER_SILENT)
        end
        local r = s.room ~= '' and room(s.room)
        if r and r.manager == uid then
            close_room(s, r)
            changed('rooms')
        elseif r then
            steps(s, 'EXIT_ROOM', 'EXIT_ROOM_SUC')
            leave(s, r, 'left')
        elseif s.room ~= '' then
            -- Its room is gone without having let it go; one such session must not stop the sweep.
            s.state, s.room = 'REGISTER_OK', ''
        end
        end_session(s, 'session_expired')
    end
    swept = swept + 1
end
return result(ERR.NONE, swept)

-- sweep: ends what has run out, at most `batch` of each kind: logs of closed rooms, registrations that were not
-- proved, answers that peers owe, and sessions that showed no sign of life. Extra: how many were ended.
-- allow-oom: what has run out makes room
-- with: base step memory request top log session lists room wait ends
local swept = 0

for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('closed'), '-inf', life, 'LIMIT', 0, A.batch)) do
    redis.call('UNLINK', key('log', id))
    redis.call('ZREM', key('closed'), id)
    swept = swept + 1
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('pending'), '-inf', life, 'LIMIT', 0, A.batch)) do
    redis.call('DEL', key('p', id))
    redis.call('ZREM', key('pending'), id)
    swept = swept + 1
end

for _, uid in ipairs(redis.call('ZRANGEBYSCORE', key('waits'), '-inf', life, 'LIMIT', 0, A.batch)) do
    local peer = session(uid)
    if peer and peer.wait then
        settle(peer, ERR.PEER_SILENT)
    else
        redis.call('ZREM', key('waits'), uid)
    end
    swept = swept + 1
end

for _, uid in ipairs(redis.call('ZRANGEBYSCORE', key('sessions'), '-inf', life, 'LIMIT', 0, A.batch)) do
    local s = session(uid)
    if not s then
        redis.call('ZREM', key('sessions'), uid)
    else
        break_off(s, 'session_expired')
    end
    swept = swept + 1
end
return result(ERR.NONE, swept)

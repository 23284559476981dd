-- attach: a client has opened a line (WebSocket, SSE), named `line`, and shows its session's token. It lives
-- by this line from now on, at the asking node, and goes on behind entry `after` of its room.
-- with: base top session lists wait
local s = session(A.uid)
if not s or s.token ~= A.token then
    return result(ERR.NOT_REGISTERED)
end
s.http = ''
save(s, 'http')
renew(s)
settle_at(s)
s.line = A.line
save(s, 'line')
reply_here()
give_all(s)
resume(s)
if s.wait == 'INVITE' then
    relay(s, redis.call('HGET', key('r', s.wait_room), 'name') or '')
elseif s.wait then
    relay(s, s.wait_room)
end
return result(ERR.NONE)

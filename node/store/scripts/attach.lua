-- attach: a client has opened a line (WebSocket, SSE), named `line`, and shows its session's token. It lives
-- by this line from now on, at the asking node, and goes on behind entry `after` of its room.
-- with: base top log session lists wait welcome
local s = session(A.uid)
if not s or s.token ~= A.token then
    return result(ERR.NOT_REGISTERED)
end
s.http, s.kind, s.attached = '', 'modern', '1'
save(s, 'http', 'kind', 'attached')
renew(s)
settle_at(s)
s.line = A.line
save(s, 'line')
reply_here()
welcome(s)
return result(ERR.NONE)

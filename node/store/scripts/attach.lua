-- attach: a client has opened a line (WebSocket, SSE), named `line`, and shows its session's token. It lives
-- by this line from now on, at the asking node, and goes on behind entry `after` of its room. Its attempts are
-- numbered (`try`), if it numbers them: one that comes behind a later one is none any more.
-- with: base top log session lists give wait welcome
local s = session(A.uid)
if not s or s.token ~= A.token then
    return result(ERR.NOT_REGISTERED)
end
if A.try and tonumber(A.try) < (tonumber(s.try or '') or 0) then
    return result(ERR.ATTACH_STALE)
end
used(s)
s.try = A.try or s.try or ''
leave_port(s)
s.http, s.kind, s.attached, s.client_ip = '', 'modern', '1', A.client_ip
save(s, 'http', 'kind', 'attached', 'try', 'client_ip')
settle_at(s)
s.line = A.line
save(s, 'line')
come_back(s)
reply_here()
welcome(s)
return result(ERR.NONE)

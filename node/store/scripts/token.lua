-- token: the session's token, with which the node checks a signature. Where there is no session the request
-- ends here, by the answer that was kept for it if there is one; but a REGISTER (`opens`) goes on.
-- with: base memory request
local token = redis.call('HGET', key('u', A.uid), 'token')
if token or A.opens == '1' then
    return result(ERR.NONE, token or '')
end
return repeated() or result(ERR.NOT_REGISTERED)

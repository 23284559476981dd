-- token: the session's token, with which the node checks a signature; empty when there is no session.
-- with: base
return result(ERR.NONE, redis.call('HGET', key('u', A.uid), 'token') or '')

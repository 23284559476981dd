-- detach: a session's line has ended, unless another one has taken its place.
-- allow-oom: who is away must be known to be
-- with: base
if redis.call('HGET', key('u', A.uid), 'line') == A.line then
    redis.call('HSET', key('u', A.uid), 'line', '')
end
return result(ERR.NONE)

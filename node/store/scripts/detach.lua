-- detach: a session's line has ended, unless another one has taken its place.
-- with: base
if redis.call('HGET', key('u', A.uid), 'line') == A.line then
    redis.call('HSET', key('u', A.uid), 'line', '')
end
return result(ERR.NONE)

-- beat: the node is alive and Redis takes writes.
-- with: base
redis.call('HSET', key('nodes'), A.node, cjson.encode({ beat = now, hgtp = A.hgtp, http = A.http }))
return result(ERR.NONE)

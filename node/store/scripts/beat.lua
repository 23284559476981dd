-- beat: the node is alive and Redis takes writes. A node without a beat for `dead_ms` is taken off the
-- list; who does it is told, and looks after its sessions. A node that ends takes itself off.
-- with: base
if A.bye then
    redis.call('HDEL', key('nodes'), A.node)
    return result(ERR.NONE)
end
redis.call('HSET', key('nodes'), A.node, cjson.encode({ beat = now, hgtp = A.hgtp, http = A.http }))
for node, info in pairs(hash(key('nodes'))) do
    local is_read, seen = pcall(cjson.decode, info)
    if not is_read or now - (tonumber(seen.beat) or 0) > tonumber(A.dead_ms) then
        redis.call('HDEL', key('nodes'), node)
        effect('dead', node)
    end
end
return result(ERR.NONE)

-- beat: the node is alive and Redis takes writes; the others' addresses, and whose sessions need a home.
-- A node without a beat for `dead_ms` is taken off the list; only a node that has been beating for as long
-- itself may judge, or the first one to reach Redis after an outage would declare all others dead. A node
-- that ends takes itself off; one that drains stays, but its sessions need another home. Two living nodes with one id: the later one is refused; one that listens at
-- this node's own bus address cannot live any more. Extra: how many others serve; or where the other one is.
-- Each beat moves the realm's service time on, and begins a new generation of what is remembered when its time
-- has come.
-- allow-oom: a node must not be taken for dead
-- with: base top nodes
local TAKEN_OVER_MS = 2500

local function lose(node, kind)
    redis.call('HDEL', key('nodes'), node)
    redis.call('DEL', key('inbox', node))
    if redis.call('EXISTS', key('home', node)) == 1 then
        redis.call('SADD', key('lost'), node)
    end
    event(kind, { 'node', node })
end

if A.bye then
    lose(A.node, 'node_left')
    return result(ERR.NONE)
end

redis.call('HSET', key('realm'), 'life', text(life), 'at', text(now))
local memory_life = tonumber(redis.call('HGET', key('realm'), 'memory_life') or 0)
if life - memory_life >= tonumber(A.dedupe_ms) then
    local generation = redis.call('HINCRBY', key('realm'), 'memory', 1)
    redis.call('HSET', key('realm'), 'memory_life', text(life))
    redis.call('UNLINK', key('memory', text(generation - 2)))
end

local nodes = hash(key('nodes'))
local mine = read_node(nodes[A.node])
nodes[A.node] = nil
local is_steady = mine and life - mine.beat <= tonumber(A.dead_ms)
local steady = is_steady and mine.steady or life
local serving_count = 0
for node, info in pairs(nodes) do
    local seen = read_node(info)
    if seen and node_id(node) == node_id(A.node) and life - seen.beat < TAKEN_OVER_MS and seen.bus ~= A.bus then
        return result(ERR.NODE_ID_TAKEN, seen.hgtp)
    end
end
for node, info in pairs(nodes) do
    local seen = read_node(info)
    local silent_ms = seen and life - seen.beat or math.huge
    if node_id(node) == node_id(A.node) then
        lose(node, 'node_replaced')
    elseif silent_ms > tonumber(A.dead_ms) and life - steady >= tonumber(A.dead_ms) then
        lose(node, 'node_lost')
        effect('dead', node)
        to({ '*' })
        effect('lost', node)
    elseif seen then
        effect('peer', node, seen.bus)
        serving_count = serving_count + (seen.draining and 0 or 1)
    end
end
local was_draining = mine and mine.draining
if not mine then
    event('node_joined', { 'node', A.node })
    effect('listed')
end
if A.draining and redis.call('EXISTS', key('home', A.node)) == 1 then
    redis.call('SADD', key('lost'), A.node)
elseif not mine or was_draining then
    redis.call('SREM', key('lost'), A.node)
end
if A.draining and not was_draining then
    event('node_draining', { 'node', A.node })
    to({ '*' })
    effect('lost', A.node)
elseif was_draining and not A.draining then
    event('node_resumed', { 'node', A.node })
end
redis.call('HSET', key('nodes'), A.node,
    cjson.encode({ beat = life, steady = steady, since = is_steady and mine.since or now, hgtp = A.hgtp, http = A.http, bus = A.bus,
        draining = A.draining and true or nil }))
for _, node in ipairs(redis.call('SMEMBERS', key('lost'))) do
    if node ~= A.node then
        effect('lost', node)
    end
end
local memory = redis.call('INFO', 'memory')
local used, most = tonumber(memory:match('used_memory:(%d+)')), tonumber(memory:match('maxmemory:(%d+)'))
if most > 0 and used >= most then
    effect('full') -- it takes this, but nothing that anybody wants to say
end
if (memory:match('maxmemory_policy:([%w-]+)') or 'noeviction') ~= 'noeviction' then
    effect('evicting')
end
effect('inbox_top', top_of(key('inbox', A.node)))
return result(ERR.NONE, serving_count)

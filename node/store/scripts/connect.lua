-- connect: what a node asks first at every connection, and again when its fence has become a wrong one. Another
-- process of Redis than last time, or another state than the node has seen (`known`: its last fence, 0: none;
-- `run`: the process that told it), may have lost acknowledged writes: the fence rises, and with it all that was
-- made under an earlier one is known to be so. Extra: the fence and the process; or the schema of the realm, when
-- it is not the one of this build.
-- allow-oom: a node must know which state it has
-- with: base
local SCHEMA = '2'

local function run_id()
    return redis.call('INFO', 'server'):match('run_id:(%w+)') -- run id
end

local schema = redis.call('GET', key('schema'))
if not schema and redis.call('EXISTS', key('nodes'), key('sessions'), key('rooms')) > 0 then
    schema = '0'
end
if schema and schema ~= SCHEMA then
    return result(ERR.SCHEMA_FOREIGN, schema)
end

local run, known = run_id(), tonumber(A.known)
local is_from_elsewhere = known == fence and A.run ~= run -- two processes have come to the same number
if redis.call('HGET', key('realm'), 'run') ~= run or known > fence or is_from_elsewhere then
    fence = math.max(fence, known) + 1
    redis.call('SET', key('schema'), SCHEMA)
    redis.call('HSET', key('realm'), 'run', run, 'fence', text(fence))
    if not realm[REALM_LIFE] then
        redis.call('HSET', key('realm'), 'life', text(now), 'at', text(now), 'memory', 1, 'memory_life', text(now))
    end
end
return result(ERR.NONE, text(fence) .. ' ' .. run)

-- memory: what is remembered for history.dedupe_s of service time: replies to requests, ids of messages. It is
-- kept in generations, each one key; the beat begins a new one in time and drops the one before the last.

local function memory_key(generation)
    return key('memory', text(generation))
end

local function memory_generation()
    return tonumber(realm[REALM_MEMORY] or 0)
end

local function memorize(name, value)
    redis.call('HSET', memory_key(memory_generation()), name, text(life) .. '|' .. value)
end

-- What was remembered by that name; nil when there is nothing, or its time is over.
local function recall(name)
    local generation = memory_generation()
    local found = redis.call('HGET', memory_key(generation), name)
        or redis.call('HGET', memory_key(generation - 1), name)
    local bar = found and found:find('|', 1, true)
    if not bar or life - tonumber(found:sub(1, bar - 1)) >= tonumber(A.dedupe_ms) then
        return nil
    end
    return found:sub(bar + 1)
end

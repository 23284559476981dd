-- base: what every script begins with: arguments, time, keys, effects, the result. A script gets its
-- arguments as name, value pairs in ARGV and answers with { code, extra, Redis' time in us, effect, effect,
-- ... }; an effect is an array of strings whose first one names it (node/core/effect.def). The effects come in
-- the order in which the node has to carry them out. `ERR.NAME` is replaced by its code at build.

local A = {}
for i = 1, #ARGV, 2 do
    A[ARGV[i]] = ARGV[i + 1]
end

-- Two clocks. `now`, in ms, is Redis' own: for what people are shown, for nothing else, as it may leap. `life`,
-- in ms, is the time in which the realm has been served: each beat of a node moves it on, by a second at most.
-- Whatever runs out is a score in it, never a TTL, so that a Redis that hung, a machine that slept and a clock
-- that leapt cost nobody a session.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local now_us = clock[1] * 1000000 + clock[2]

local function text(value)
    if type(value) == 'number' then
        return string.format('%.0f', value)
    end
    return value
end

local function key(kind, id)
    return A.prefix .. kind .. (id and ':' .. id or '')
end

-- What the realm keeps of itself: the fence, which tells one Redis' state from what is left of it after a
-- failover or a restart (connect.lua); the service time; the generation of what is remembered (lib/memory).
local REALM_FENCE, REALM_LIFE, REALM_AT, REALM_MEMORY = 1, 2, 3, 4
local realm = redis.pcall('HMGET', key('realm'), 'fence', 'life', 'at', 'memory')
local is_realm_spoilt = realm.err ~= nil
if is_realm_spoilt then
    if A.fix == nil then -- doctor says what is wrong
        return { ERR.STORE_SPOILT, '', now_us }
    end
    realm = { A.fence }
end
local life = tonumber(realm[REALM_LIFE] or 0)
    + math.min(math.max(now - tonumber(realm[REALM_AT] or now), 0), 1000)
local fence = tonumber(realm[REALM_FENCE] or 0)

-- A call made for another state of Redis, or too late for the one who made it, does nothing.
if A.fence and A.fence ~= realm[REALM_FENCE] then
    return { ERR.FENCED, '', now_us }
end
if A.deadline and now > tonumber(A.deadline) then
    return { ERR.LATE, '', now_us }
end

-- A number greater than all of its kind before, also than those that Redis has lost: the fence comes first.
local function version(field)
    return fence * 4294967296 + redis.call('HINCRBY', key('realm'), field, 1)
end

-- Where a list (users, rooms, counts, or the members of room `rid`) has its version, and when it was last shown.
local function listed_at(what, rid)
    if rid then
        return key('r', rid), 'version', 'listed'
    end
    return key('listed'), what .. ':version', what
end

-- It has changed: whatever a node knows of it is older from now on.
local function raise_version(what, rid)
    if rid and redis.call('EXISTS', key('r', rid)) == 0 then
        return
    end
    local where, field = listed_at(what, rid)
    redis.call('HSET', where, field, text(version('lists')))
end

-- Under a new fence changes may be lost: it is newer than all that was told under earlier ones.
local function version_of(what, rid)
    local where, field = listed_at(what, rid)
    return math.max(tonumber(redis.call('HGET', where, field) or 0), fence * 4294967296)
end

local effects = {}

local function effect(...)
    local row = { ... }
    for i = 1, #row do
        row[i] = text(row[i])
    end
    effects[#effects + 1] = row
    return row
end

-- The effect that follows is for these nodes instead of the one that asks; '*': for all.
local function to(nodes)
    if #nodes ~= 1 or nodes[1] ~= A.node then
        effect('to', unpack(nodes))
    end
end

-- An effect at a session's home. Where that is no living node, the one that asks does it.
local function effect_at(home, ...)
    if home and home ~= A.node and redis.call('HEXISTS', key('nodes'), home) == 1 then
        to({ home })
    end
    return effect(...)
end

-- An effect at every node that has members of the room.
local function effect_in(rid, ...)
    local nodes = redis.call('HKEYS', key('rh', rid))
    table.sort(nodes)
    to(nodes)
    return effect(...)
end

-- The place of the reply among the effects; without this call it comes first.
local replied = false
local function reply_here()
    replied = true
    effect('reply')
end

-- Names come as they are written, and each with its key, which the node has made (node/base/name_key): names
-- that differ only in width, case, blanks or what cannot be seen have the same one. Whatever is looked up by a
-- name is looked up by the key. An empty key is that of no name.
-- A name for something that is made now; what exists is found by longer ones as well.
local function is_no_new_name(name, name_key)
    return name_key == '' or #name > tonumber(A.name_max)
end

local function hash(name)
    local flat = redis.call('HGETALL', name)
    local fields = {}
    for i = 1, #flat, 2 do
        fields[flat[i]] = flat[i + 1]
    end
    return fields
end

local EVENTS_KEPT = 10000

-- Whom an event is about, and in which room, as fields of it; either may be nothing.
local function about(s, r)
    return { 'user', s and s.name or '', 'user_key', s and s.name_key or '',
        'room', r and r.name or '', 'room_key', r and r.name_key or '' }
end

local function event(kind, fields)
    redis.call('XADD', key('events'), 'MAXLEN', '~', EVENTS_KEPT, '*', 'event', kind, unpack(fields))
end

local function result(code, extra)
    local out = { code, text(extra or ''), now_us }
    if not replied then
        out[4] = { 'reply' }
    end
    for i = 1, #effects do
        out[#out + 1] = effects[i]
    end
    return out
end

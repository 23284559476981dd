-- pending: a registration that has begun: its name has been challenged, and the key is not proved yet. It is
-- kept by user id and address until its deadline, a score in `pending`.

local function registration_id()
    return A.uid .. ':' .. A.ip
end

local function registration_key()
    return key('p', registration_id())
end

-- Its fields; none when there is no such registration, or it is over.
local function registration_begun()
    local deadline = tonumber(redis.call('ZSCORE', key('pending'), registration_id()) or 0)
    return deadline > life and hash(registration_key()) or {}
end

local function registration_over()
    redis.call('DEL', registration_key())
    redis.call('ZREM', key('pending'), registration_id())
end

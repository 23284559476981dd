-- top: how far a room log has come.

local function log_top(rid)
    local last = redis.call('XREVRANGE', key('log', rid), '+', '-', 'COUNT', 1)
    return last[1] and tonumber(last[1][1]:sub(3)) or 0
end

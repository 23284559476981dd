-- top: reading a room log.

local function log_top(rid)
    local last = redis.call('XREVRANGE', key('log', rid), '+', '-', 'COUNT', 1)
    return last[1] and tonumber(last[1][1]:sub(3)) or 0
end

-- The effect for one item of a room log as XRANGE gives it.
local function show_entry(rid, epoch, item)
    local f = {}
    for i = 1, #item[2], 2 do
        f[item[2][i]] = item[2][i + 1]
    end
    effect('entry', rid, epoch, item[1]:sub(3), f.kind, f.who, f.text, f.time, f.sent)
end

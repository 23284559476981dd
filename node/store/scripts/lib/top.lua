-- top: reading a room log.

-- The log of a room that was closed is kept for a while under its epoch, for nodes that have yet to read its end.
local function closed_log(rid, epoch)
    return key('log', rid .. ':' .. epoch)
end

local function top_of(log)
    local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)
    return last[1] and tonumber(last[1][1]:sub(3)) or 0
end

local function log_top(rid)
    return top_of(key('log', rid))
end

-- The effect for one item of a room log as XRANGE gives it.
local function show_entry(rid, epoch, item)
    local f = {}
    for i = 1, #item[2], 2 do
        f[item[2][i]] = item[2][i + 1]
    end
    effect('entry', rid, epoch, item[1]:sub(3), f.kind, f.who, f.text, f.time, f.sent, f.uid or '', f.stay or '')
end

-- ctl_stats: how much there is in the realm, and what Redis says of itself. Members are counted some
-- thousand rooms in one call. Extra: the next cursor, "place members"; 0 at the end.
-- with: base rows
local ROOMS = 2000

local at, members = (A.cursor or ''):match('^(%d+) (%d+)$')
at, members = tonumber(at) or 0, tonumber(members) or 0
local rooms = redis.call('ZRANGE', key('rooms'), at, at + ROOMS - 1)
for _, rid in ipairs(rooms) do
    members = members + redis.call('ZCARD', key('m', rid))
end
if #rooms == ROOMS then
    return result(ERR.NONE, text(at + ROOMS) .. ' ' .. text(members))
end

local function info(section, name)
    return redis.call('INFO', section):match('\n' .. name .. ':([%d.]+)') or 0
end
row('StatsReply', 'sessions', redis.call('ZCARD', key('sessions')), 'rooms', redis.call('ZCARD', key('rooms')),
    'members', members, 'redis_memory_bytes', info('memory', 'used_memory'),
    'redis_ops_per_s', info('stats', 'instantaneous_ops_per_sec'))
return result(ERR.NONE, '0')

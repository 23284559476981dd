-- ctl_room_history: the last `count` entries before number `before` (0: the end) of a room, oldest first.
-- with: base top log session room rows
local KIND_FIELDS = { kind = 'kind', who = 'user', text = 'text', time = 'time_ms' }

local r = room_named(A.room_key)
if not r then
    return result(ERR.ROOM_UNKNOWN)
end
local before = number_of(A.before)
local count = number_of(A.count)
count = math.min(count > 0 and count or 50, PAGE)
local found = redis.call('XREVRANGE', key('log', r.id), before > 0 and '(0-' .. text(before) or '+', '-',
    'COUNT', count + 1)
for i = math.min(#found, count), 1, -1 do
    local fields = { 'seq', found[i][1]:sub(3) }
    for f = 1, #found[i][2], 2 do
        local name = KIND_FIELDS[found[i][2][f]]
        if name then
            fields[#fields + 1] = name
            fields[#fields + 1] = found[i][2][f + 1]
        end
    end
    row('Entry', unpack(fields))
end
row('RoomHistoryReply', 'room', r.name, 'more', #found > count and '1' or '')
return result(ERR.NONE)

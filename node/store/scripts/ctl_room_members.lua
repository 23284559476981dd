-- ctl_room_members: who is in a room, in the order of their coming; a page of them.
-- with: base top log session room nodes rows shown
local r = room_named(A.room)
if not r then
    return result(ERR.ROOM_UNKNOWN)
end
local first = number_of(A.cursor)
local members = redis.call('ZRANGE', key('m', r.id), first, first + PAGE - 1, 'WITHSCORES')
for i = 1, #members, 2 do
    local s = session(members[i])
    if s then
        row('Member', 'user', s.name, 'joined_ms', members[i + 1], 'node', node_id(s.home or ''),
            'transport', transport_of(s), 'manager', s.uid == r.manager and '1' or '')
    end
end
local has_more = first + PAGE < redis.call('ZCARD', key('m', r.id))
return result(ERR.NONE, has_more and first + PAGE or '0')

-- ctl_room_members: who is in a room, in the order of their coming; a page of them.
-- with: base top log session room nodes rows shown
local r = room_named(A.room_key)
if not r then
    return result(ERR.ROOM_UNKNOWN)
end
local first = number_of(A.cursor)
local members = redis.call('ZRANGE', key('m', r.id), first, first + PAGE - 1)
for _, uid in ipairs(members) do
    local s = session(uid)
    if s then
        row('Member', 'user', s.name, 'joined_ms', s.joined or 0, 'node', node_id(s.home or ''),
            'transport', transport_of(s), 'manager', s.uid == r.manager and '1' or '')
    end
end
local has_more = first + PAGE < redis.call('ZCARD', key('m', r.id))
return result(ERR.NONE, has_more and first + PAGE or '0')

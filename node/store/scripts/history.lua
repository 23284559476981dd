-- history: the last `count` entries before `before` (a stream id, exclusive, or +) of the room that the one who asks is in, the
-- newest first. Extra: the room's name.
-- with: base top log session
local s, refused = speaker('stays')
if not s then
    return result(refused)
end
local r = hash(key('r', s.room))
if not r.name then
    return result(ERR.NOT_IN_ROOM)
end
local found = redis.call('XREVRANGE', key('log', s.room), A.before, '-', 'COUNT', A.count)
for _, item in ipairs(found) do
    show_entry(s.room, r.epoch, item)
end
return result(ERR.NONE, r.name)

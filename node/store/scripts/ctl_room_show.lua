-- ctl_room_show: one room.
-- with: base top log session room nodes rows shown
local r = room_named(A.room_key)
if not r then
    return result(ERR.ROOM_UNKNOWN)
end
show_room(r)
return result(ERR.NONE)

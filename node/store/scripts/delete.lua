-- delete: DELETE_ROOM, by its manager. The members are told to leave before the manager gets OK.
-- with: base step memory request top session log lists room wait ends
local again = repeated()
if again then
    return again
end
local s, refused = speaker()
if not s then
    return result(refused)
end
local r = A.room_id ~= '' and room(A.room_id)
if not r then
    return done(ERR.ROOM_UNKNOWN)
end
if r.manager ~= s.uid then
    return done(ERR.NOT_MANAGER)
end
close_room(r, s)
reply_here()
changed('rooms')
return done(ERR.NONE)

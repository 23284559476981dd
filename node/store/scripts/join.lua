-- join: JOIN_ROOM by the room's name.
-- with: base step memory request top session log lists room wait
local again = repeated()
if again then
    return again
end
local s, refused = speaker()
if not s then
    return result(refused)
end
local r = room_named(A.room)
if not r then
    return done(ERR.ROOM_UNKNOWN)
end
decline_invitation(s)
if not step(s, 'JOIN_ROOM') then
    return done(ERR.IN_ROOM)
end
if is_full(r) then
    return done(ERR.ROOM_FULL)
end
steps(s, 'JOIN_ROOM_SUC', 'TO_TALK')
reply_here()
enter(s, r, 'joined')
return done(ERR.NONE)

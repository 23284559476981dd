-- exit: EXIT_ROOM by the room's name, which must be the one the user is in.
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
if s.room ~= r.id then
    return done(ERR.NOT_IN_ROOM)
end
if r.manager == s.uid then
    return done(ERR.MANAGER_STAYS)
end
reply_here()
if s.state == 'REMOVE' then
    settle(s, ERR.NONE)
else
    steps(s, 'EXIT_ROOM', 'EXIT_ROOM_SUC')
    leave(s, r, 'left')
end
return done(ERR.NONE)

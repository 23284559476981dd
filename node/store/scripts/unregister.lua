-- unregister: UNREGISTER. Who is in a room leaves it first; a client of the original's kind has to do that
-- itself.
-- allow-oom: who leaves makes room
-- with: base step memory request top log session lists room wait ends
local again = repeated()
if again then
    return again
end
local s, refused = speaker()
if not s then
    return result(refused)
end
decline_invitations(s)
if s.room ~= '' and is_original(s) then
    local manager = redis.call('HGET', key('r', s.room), 'manager')
    return done(manager == s.uid and ERR.MANAGER_STAYS or ERR.IN_ROOM)
end
reply_here()
take_out(s, 'left')
end_session(s, 'session_unregistered')
return done(ERR.NONE)

-- look: what this node should have of a session of which it has heard that it has changed.
-- with: base top session
local s = session(A.uid)
if s and s.home == A.node then
    show_home(s, redis.call('HGET', key('home', A.node), s.uid))
else
    effect('gone', A.uid)
end
return result(ERR.NONE)

-- look: what this node should have of a session of which it has heard that it has changed.
-- with: base top session
local s = session(A.uid)
if s and s.home == '' and A.line ~= '' then
    -- This node was taken for dead, and the client's line has outlived that.
    settle_at(s)
    s.line = A.line
    save(s, 'line')
elseif s and s.home == A.node then
    show_home(s, redis.call('HGET', key('home', A.node), s.uid))
else
    effect('gone', A.uid, s and 'moved' or 'ended')
end
return result(ERR.NONE)

-- manager: a room's manager makes the member `peer` its manager. With an `id` of the client's own it is done once,
-- however often it comes. Extra: the number of the log's entry that says so.
-- with: base memory top log session lists room said
local s, refused = speaker('stays')
if not s then
    return result(refused)
end
local r = s.room ~= '' and room(s.room)
if not r then
    return result(ERR.NOT_IN_ROOM)
end
local what = 'manager ' .. A.peer
local seq, refused = said_before(r, what)
if seq or refused then
    return result(refused or ERR.NONE, seq)
end
if r.manager ~= s.uid then
    return result(ERR.NOT_MANAGER)
end
local peer = session_named(A.peer_key)
refused = refusal_to_manage(r, peer)
if refused then
    return result(refused)
end
return said(r, what, peer.uid == s.uid and log_top(r.id) or set_manager(r, peer))

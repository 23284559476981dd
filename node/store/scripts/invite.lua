-- invite: INVITE_USER_FROM_ROOM by the room's manager. The reply comes when the peer has answered. So many within
-- history.dedupe_s are one user's share, and so many of them one other's; names are counted, which outlive sessions.
-- What is beyond is not remembered: a flood fills no memory.
-- with: base step memory request top log session lists room wait
local again = repeated()
if again then
    return again
end
local s, refused = speaker()
if not s then
    return result(refused)
end

-- One more of at most `most` that begin within history.dedupe_s of the first one.
local function takes_one(name, most)
    local count, since = (recall(name) or ''):match('^(%d+) (%d+)$')
    if not count or life - since >= tonumber(A.dedupe_ms) then
        count, since = 0, life
    end
    if tonumber(count) >= tonumber(most) then
        return false
    end
    memorize(name, text(count + 1) .. ' ' .. text(since))
    return true
end

local by_inviter = 'invites:' .. s.name_key
if not takes_one(by_inviter, A.invites) then
    return result(ERR.RATE_LIMITED)
end
local peer, r = peer_of_manager(s)
if not peer then
    return done(r)
end
refused = refusal_to_invite(peer, r)
if refused then
    return done(refused)
end
if not takes_one(by_inviter .. '\n' .. peer.name_key, A.invites_to_one) then
    return result(ERR.RATE_LIMITED)
end
wait_for(peer, 'INVITE', r)
return done(ERR.WAITING)

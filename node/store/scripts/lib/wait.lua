-- wait: requests that are relayed to a peer and wait for its answer.

-- Where the server's own requests go: the declared address while it is the sender's own or trusted.
local function reach(s)
    if s.udp ~= '' and (s.trusted == '1' or address_ip(s.udp) == s.ip) then
        return s.udp
    end
    return s.src
end

local WAIT_FIELDS = { 'wait', 'wait_room', 'wait_by', 'wait_home', 'wait_src', 'wait_seq', 'wait_print' }

-- Asks the peer, also once more when it has come by another line.
local function relay(peer, room_field)
    effect_at(peer.home, 'relay', peer.wait, peer.uid, reach(peer), peer.wait_seq + 1, room_field, peer.name)
end

-- Whom the speaker names in which room, as the room's manager; else nil, and what is wrong, in the
-- original's order.
local function peer_of_manager(s)
    local peer = session_named(A.peer)
    if not peer then
        return nil, ERR.PEER_UNKNOWN
    end
    local r = room_named(A.room)
    if not r then
        return nil, ERR.ROOM_UNKNOWN
    end
    if s.room == '' then
        return nil, ERR.NOT_IN_ROOM
    end
    if r.manager ~= s.uid then
        return nil, ERR.NOT_MANAGER
    end
    return peer, r
end

-- Why the peer cannot be asked into the room; nothing when it can.
local function refusal_to_invite(peer, r)
    if peer.room ~= '' then
        return ERR.PEER_IN_ROOM
    end
    if is_full(r) then
        return ERR.ROOM_FULL
    end
    return not step(peer, 'INVITE_USER_ROOM') and ERR.PEER_BUSY or nil
end

-- The peer has to answer: kept in its session until it does or until the deadline. An operator asks
-- without a session, and nobody waits for the answer.
local function wait_for(peer, kind, r, room_field)
    peer.wait, peer.wait_room, peer.wait_by, peer.wait_home = kind, r.id, A.uid or '', A.node
    peer.wait_src, peer.wait_seq, peer.wait_print = A.src or '', A.seq or 1, A.print or ''
    save(peer, 'state', unpack(WAIT_FIELDS))
    redis.call('ZADD', key('waits'), life + A.answer_ms, peer.uid)
    if kind == 'INVITE' then
        redis.call('ZADD', key('i', r.id), life, peer.uid)
    end
    relay(peer, room_field)
end

-- Tells the one who asked, now and when it repeats its request: by its line if it has one, else where it
-- asked from, or where it was heard last if it has moved since.
local function answer_asker(peer, code)
    if peer.wait_by == '' then
        return
    end
    local home, src = unpack(redis.call('HMGET', key('u', peer.wait_by), 'home', 'src'))
    if not home or home == peer.wait_home then
        src = peer.wait_src
    end
    effect_at(home, 'answer', peer.wait, peer.wait_by, src, peer.wait_seq + 3, code)
    remember(peer.wait_by, peer.wait_print, code, 3, '')
end

-- Ends the wait: tells the one who asked, then lets the answer take effect.
local function settle(peer, code)
    local kind, rid = peer.wait, peer.wait_room
    local r = room(rid)
    if code == ERR.NONE and not r then
        code = ERR.ROOM_UNKNOWN
    end
    answer_asker(peer, code)
    redis.call('ZREM', key('waits'), peer.uid)
    redis.call('ZREM', key('i', rid), peer.uid)
    redis.call('HDEL', key('u', peer.uid), unpack(WAIT_FIELDS))
    peer.wait = nil
    if code ~= ERR.NONE then
        steps(peer, kind .. '_USER_ROOM_FAIL')
        peer.missed = code == ERR.PEER_SILENT and kind == 'INVITE' and '1' or ''
        save(peer, 'state', 'missed')
    elseif kind == 'INVITE' then
        steps(peer, 'INVITE_USER_ROOM_SUC', 'TO_TALK')
        enter(peer, r, 'invited')
    else
        steps(peer, 'REMOVE_USER_ROOM_SUC')
        leave(peer, r, 'removed')
    end
end

-- Who asks for something else while invited declines thereby: an invitation binds nobody.
local function decline_invitation(s)
    if s.state == 'INVITE' then
        settle(s, ERR.PEER_DECLINED)
    end
end

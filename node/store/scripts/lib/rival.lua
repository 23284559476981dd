-- rival: two clients of the original's kind at one place. One that has crashed and is started again comes under a
-- new user id from the same address, and answers the pushes to its predecessor, which so would never expire. Which of
-- the two is there the push connection tells: a node looks at it (effect `rival`).

-- The session is of the original's kind and without an account, and its client behind the asker's IP.
local function is_rival(s)
    return s and s.uid ~= A.uid and is_original(s) and s.ip == A.ip and sealed_key(s.name_key) == ''
end

-- The session of this name, if its client has declared the same UDP address.
local function rival_of_name(name_key, udp)
    local s = session_named(name_key)
    return is_rival(s) and udp ~= '' and s.udp == udp and s or nil
end

-- The session whose client is where this one says to be: at its HTTP port, or of its name and at its UDP port.
local function rival_of(pending)
    local uid = redis.call('HGET', key('ports'), A.http)
    local s = uid and session(uid)
    if is_rival(s) and s.http == A.http then
        return s
    end
    return rival_of_name(pending.name_key, pending.udp)
end

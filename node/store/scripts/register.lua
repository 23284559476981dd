-- register: a REGISTER. The first one (name) opens a challenge; one that may prove a key is handed
-- back to the node, which alone can compute digests, and comes again as `prove`. No refusal is kept for its
-- repetition.
-- with: base memory request pending top log session account rival
local again = repeated()
if again then
    return again
end

local pending = registration_begun()
local is_proof = pending.challenge and (A.seq - pending.seq) % 4294967296 == 2 -- they wrap

if A.name == '' or is_proof then
    if not pending.challenge then
        -- No word of the key, which may be right. Where a session stands it can only have been meant as a proof.
        local is_known = redis.call('EXISTS', key('u', A.uid)) == 1
        return result(is_known and ERR.CHALLENGE_USED or tonumber(A.name_err))
    end
    local is_hidden = (pending.ahead or '0') ~= '0'
    if is_hidden and not is_proof then
        return result(ERR.NOT_CHALLENGED) -- it has not got the challenge
    end
    local sealed, user = sealed_key(pending.name_key)
    effect('challenge', pending.challenge, user or pending.name, sealed, is_hidden and '1' or '')
    return result(ERR.PROVE)
end

local owner, has_account = redis.call('GET', key('un', A.name_key)), sealed_key(A.name_key) ~= ''
if owner and owner ~= A.uid and not has_account and not rival_of_name(A.name_key, A.udp) then
    return result(ERR.NAME_TAKEN) -- with an account it may be the same user, who has yet to prove it
end
if not owner and not has_account and is_no_new_name(A.name, A.name_key) then
    return result(ERR.NAME_INVALID)
end
if not owner and redis.call('EXISTS', key('u', A.uid)) == 0
    and redis.call('ZCARD', key('sessions')) >= tonumber(A.users_max) then
    return result(ERR.USERS_FULL)
end
if not pending.challenge and redis.call('ZCARD', key('pending')) >= tonumber(A.begun_max) then
    local oldest = redis.call('ZPOPMIN', key('pending')) -- strangers fill no memory, and keep nobody out
    redis.call('DEL', key('p', oldest[1]))
end

local challenge = pending.name_key == A.name_key and pending.challenge or A.challenge
redis.call('HSET', registration_key(), 'name', A.name, 'name_key', A.name_key, 'spelling', A.spelling,
    'challenge', challenge, 'seq', text(A.seq + (A.ahead or 0)), 'ahead', A.ahead or '0', 'udp', A.udp, 'trusted', A.trusted)
redis.call('ZADD', key('pending'), life + A.challenge_ms, A.uid .. ':' .. A.ip)
-- Not kept for a repetition: a repeated beginning finds the challenge that is still open.
return result(ERR.CHALLENGED, challenge)

-- ctl_account_list: the accounts, by the keys of their names; a page of them behind the one that the
-- cursor names. What is sealed goes to the node, which says whether it can open it.
-- with: base account rows
local behind = (A.cursor or ''):match('^>(.*)$')
local keys = {}
for _, name_key in ipairs(redis.call('HKEYS', key('accounts'))) do
    if not behind or name_key > behind then
        keys[#keys + 1] = name_key
    end
end
local shown = first_of(keys, PAGE, function(a, b) return a < b end)
for _, name_key in ipairs(shown) do
    local found, sealed, user = account(name_key) or {}, sealed_key(name_key)
    row('Account', 'user', user, 'added_ms', tonumber(found.added_ms) or 0,
        'added_by', text_of(found, 'added_by') or '', 'key', sealed)
end
return result(ERR.NONE, #shown < #keys and '>' .. shown[#shown] or '0')

-- ctl_account_list: the accounts, by name; a page of them behind the one that the cursor names. What is
-- sealed goes to the node, which says whether it can open it.
-- with: base account rows
local behind = (A.cursor or ''):match('^>(.*)$')
local names = {}
for _, name in ipairs(redis.call('HKEYS', key('accounts'))) do
    if not behind or name > behind then
        names[#names + 1] = name
    end
end
local shown = first_of(names, PAGE, function(a, b) return a < b end)
for _, name in ipairs(shown) do
    local found = account(name) or {}
    row('Account', 'user', name, 'added_ms', tonumber(found.added_ms) or 0,
        'added_by', type(found.added_by) == 'string' and found.added_by or '', 'key', sealed_key(name))
end
return result(ERR.NONE, #shown < #names and '>' .. shown[#shown] or '0')

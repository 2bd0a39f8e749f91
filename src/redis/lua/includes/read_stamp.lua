--[[
  Reads the stamp of a group: n:nonce, with :softN behind it after a soft invalidation (as in entry/stamp.ts).

  Arguments
    key  the stamp's key

  Returns n:nonce, and n as a number; nil for absence and for whatever is no stamp, which counts as absent.
]]
--- @include value_or_absent
local function read_stamp(key)
  local text = value_or_absent('GET', key)
  if type(text) ~= 'string' then
    return nil
  end
  local stamp, n, nonce, soft = string.match(text, '^((%d+):([0-9a-f]+))(.*)$')
  if not stamp or #n > 17 or #nonce ~= 16 or not string.match(soft, '^:?%d*$') then
    return nil
  end
  return stamp, tonumber(n)
end

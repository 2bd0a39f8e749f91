--[[
  The number in a stamp; nil for absence and for whatever is no stamp, which counts as absent (as in entry/stamp.ts).

  Arguments
    stamp  the reply to GET, or its error
]]
local function stamp_number(stamp)
  if type(stamp) ~= 'string' then
    return nil
  end
  local n, nonce = string.match(stamp, '^(%d+):([0-9a-f]+)$')
  if not n or #n > 17 or #nonce ~= 16 then
    return nil
  end
  return tonumber(n)
end

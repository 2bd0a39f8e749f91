--[[
  Reads the lease of a key: token|n0, with a '!' for those who wait, or a '~' where nobody does; or late|token|n0|..., of a
  holder that is past its deadline and may still store.

  Arguments
    key  the lease's key

  Returns the token, n0 as a number, and a '!' where somebody may wait (else ''); nil for whatever is no lease.
]]
--- @include value_or_absent
local function read_lease(key)
  local text = value_or_absent('GET', key)
  if type(text) ~= 'string' then
    return nil
  end
  local token, n0, mark = string.match(text, '^(%x+)|(%d+)~?(!*)$')
  if not token then
    -- Newcomers wait for what is late without a mark.
    token, n0 = string.match(text, '^late|(%x+)|(%d+)|')
    mark = '!'
  end
  return token, tonumber(n0), mark
end

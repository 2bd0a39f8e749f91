--[[
  Reads by a command that asks for one type. A key of another type is foreign, and counts as absent; any other error
  (of a right that is missing, say) ends the script. What a script reads, it reads before its first write: so it has
  then done nothing.

  Arguments
    ...  the command and its arguments

  Returns the value; false or nil where there is none.
]]
local function value_or_absent(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then
    return reply
  end
  if string.sub(reply.err, 1, 9) == 'WRONGTYPE' then
    return nil
  end
  -- Once more, for the error as the server words it.
  return redis.call(...)
end

--[[
  SETs a key, unless memory is full. Any other error ends the script.

  Arguments
    ...  the arguments of SET

  Returns what the server says when memory is full, else nil.
]]
local function set_or_full(...)
  local reply = redis.pcall('SET', ...)
  if not reply.err then
    return nil
  end
  if string.find(reply.err, 'OOM command not allowed', 1, true) then
    return reply.err
  end
  -- Once more, for the error as the server words it.
  redis.call('SET', ...)
end

UPDATE sessions SET
  gen        = CASE WHEN gen = $1 AND $2 - rotated_at >= $3 THEN gen + 1 ELSE gen END,
  prev_nonce = CASE WHEN gen = $1 AND $2 - rotated_at >= $3 THEN nonce ELSE prev_nonce END,
  used       = CASE WHEN $2 - rotated_at >= $3 THEN 0 WHEN gen = $1 THEN 1 ELSE used END,
  shares     = CASE WHEN $2 - rotated_at >= $3 THEN 0 ELSE shares + 1 END,
  nonce      = CASE WHEN $2 - rotated_at >= $3 THEN $4 ELSE nonce END,
  rotated_at = CASE WHEN $2 - rotated_at >= $3 THEN $2 ELSE rotated_at END,
  at_exp     = CASE WHEN at_exp < $5 THEN $5 ELSE at_exp END,  last_seen_at = $2, idle_expires_at = $2 + $6
WHERE sid = $7 AND client_id = $8 AND committed = 0 AND revoked_at IS NULL AND expires_at > $2 AND idle_expires_at > $2
  AND (dpop_jkt IS NULL OR dpop_jkt = $9)
  AND auth_rsn >= (SELECT min_rsn FROM users u WHERE u.user_id = sessions.user_id)
  AND auth_rsn >= (SELECT min_rsn FROM clients c WHERE c.client_id = sessions.client_id)
  AND auth_rsn >= (SELECT min_rsn FROM tenants t WHERE t.tenant = sessions.tenant)
  AND ((gen = $1 AND nonce = $10) OR (gen = $1 + 1 AND prev_nonce = $10 AND ($2 - rotated_at < $3 OR used = 0)))
RETURNING gen, nonce, auth_rsn, user_id, shares

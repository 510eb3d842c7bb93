-- The key that wraps data keys can be exchanged.

grant update on tenant_keys to synkro_system;

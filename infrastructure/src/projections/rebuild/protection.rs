//! What keeps the rows of a table apart, and who has rights to it: the next generation's tables get what the live ones have,
//! because `create table … (like …)` copies none of it.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use crate::projections::Table;

/// The statements that give the table `$2` the row-level security, the policies and the rights of the table `$1`.
const STATEMENTS: &str = "
select format('alter table %s enable row level security', $2::text) as statement, 1 as place
from pg_class where oid = $1::regclass and relrowsecurity
union all
select format('alter table %s force row level security', $2::text), 1
from pg_class where oid = $1::regclass and relforcerowsecurity
union all
select concat_ws(' ',
           format('create policy %I on %s as %s for %s to %s', polname, $2::text,
               case when polpermissive then 'permissive' else 'restrictive' end,
               case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
                           when 'd' then 'delete' else 'all' end,
               (select string_agg(case role when 0 then 'public' else quote_ident(pg_get_userbyid(role)) end, ', ')
                from unnest(polroles) as role)),
           'using (' || pg_get_expr(polqual, polrelid) || ')',
           'with check (' || pg_get_expr(polwithcheck, polrelid) || ')'), 2
from pg_policy where polrelid = $1::regclass
union all
select format('grant %s on %s to %s%s', privilege_type, $2::text,
           case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
           case when is_grantable then ' with grant option' else '' end), 3
from pg_class, aclexplode(relacl)
where oid = $1::regclass and grantee <> relowner
order by place, statement";

/// Who may use the live schema may use the next one, until it is gone.
const USE: &str = "
select format('grant usage on schema %s to %s', $2::text,
           case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end) as statement
from pg_namespace, aclexplode(nspacl)
where oid = $1::regnamespace and grantee <> nspowner and privilege_type = 'USAGE'
order by statement";

/// Gives the next generation's schema and tables what the live ones have. Both schemas are named as SQL does.
pub(super) async fn copy(
    connection: &impl ConnectionTrait,
    (live, next): (&str, &str),
    tables: &[Table],
) -> Result<(), DbErr> {
    give(connection, USE, live, next).await?;
    for Table { name: table, .. } in tables {
        give(connection, STATEMENTS, &format!("{live}.{table}"), &format!("{next}.{table}")).await?;
    }
    Ok(())
}

async fn give(connection: &impl ConnectionTrait, statements: &str, from: &str, to: &str) -> Result<(), DbErr> {
    let asked = Statement::from_sql_and_values(DbBackend::Postgres, statements, [from.into(), to.into()]);
    for row in connection.query_all(asked).await? {
        let statement: String = row.try_get("", "statement")?;
        connection.execute_unprepared(&statement).await?;
    }
    Ok(())
}

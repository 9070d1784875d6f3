import json,time
from acceptance_service.catalogue.domain import ImportKind, Action
from acceptance_service.catalogue.handlers.imports import import_file
from acceptance_service.catalogue.handlers.review import Decision, act_on_import
from datetime import datetime,UTC
NOW=datetime(2026,11,22,tzinfo=UTC)
async def test_big(catalogue_session):
    base={"name":"合成事项","handling_name":None,"department":"HN-430300-SCJG","department_origin":"portal","division":"430300000000","completeness":"link_only","min_trust_level":2,"instant_rule":None,"origin":{"kind":"source","source":"s"},"element_origins":{}}
    body="\n".join(json.dumps({"code":f"BIG-{i}",**base,"name":f"合成事项{i}号"},ensure_ascii=False) for i in range(40000)).encode()
    print("SIZE",len(body))
    t=time.time(); p=await import_file(catalogue_session,kind=ImportKind.ITEMS,body=body,operator="a",now=NOW); print("IMPORT",time.time()-t)
    for a,o in ((Action.SUBMIT_REVIEW,"a"),(Action.APPROVE,"b"),(Action.PUBLISH,"a")):
        t=time.time(); p=await act_on_import(catalogue_session,p.row.id,Decision(a,o,None,NOW)); print(a,time.time()-t)
